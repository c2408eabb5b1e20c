//! Wires the `convert` step to Lambda.

use convert::{Convert, handle};
use lambda::{Environment, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = lambda::aws::step_config().await;
    let convert = Convert {
        s3: aws_sdk_s3::Client::new(&config),
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
        table: environment.text("TABLE_NAME")?,
    };
    lambda::run(async |input| handle(&convert, input).await).await
}
