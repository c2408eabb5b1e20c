//! The Lambda function of the `filter-labels` step.

use domain::metric::Function;
use filter_labels::{FilterLabels, handle};
use lambda::{Environment, Error};
use records::Records;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = aws::step_config().await;
    let step = FilterLabels {
        records: Records::new(
            aws_sdk_dynamodb::Client::new(&config),
            environment.text("TABLE_NAME")?,
        ),
        default_policy: environment.default_policy()?,
    };
    lambda::run(Function::FilterLabels, async |input| handle(&step, input).await).await
}
