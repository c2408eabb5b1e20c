//! Wires the `persist` step to Lambda.

use lambda::{Environment, Error};
use persist::{Persist, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let config = lambda::aws::step_config().await;
    let persist = Persist {
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
        table: Environment::process().text("TABLE_NAME")?,
    };
    lambda::run(async |input| handle(&persist, input).await).await
}
