//! The Lambda function of the `persist` step.

use domain::metric::Function;
use lambda::{Environment, Error};
use persist::{Persist, handle};
use records::Records;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = aws::step_config().await;
    let persist = Persist {
        records: Records::new(
            aws_sdk_dynamodb::Client::new(&config),
            environment.text("TABLE_NAME")?,
        ),
        default_policy: environment.default_policy()?,
    };
    lambda::run(Function::Persist, async |input| handle(&persist, input).await).await
}
