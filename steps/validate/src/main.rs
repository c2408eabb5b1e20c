//! Wires the `validate` step to Lambda.

use lambda::{Environment, Error};
use validate::{Validate, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = lambda::aws::step_config().await;
    let validate = Validate {
        s3: aws_sdk_s3::Client::new(&config),
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
        sfn: aws_sdk_sfn::Client::new(&config),
        bucket: environment.text("BUCKET_NAME")?,
        table: environment.text("TABLE_NAME")?,
        default_policy: environment.default_policy()?,
    };
    lambda::run(async |input| handle(&validate, input).await).await
}
