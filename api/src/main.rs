//! Wires the HTTP API to Lambda.

use api::{Api, router};
use lambda::{Environment, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = lambda::aws::api_config().await;
    let api = Api {
        s3: aws_sdk_s3::Client::new(&config),
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
        sfn: aws_sdk_sfn::Client::new(&config),
        bucket: environment.text("BUCKET_NAME")?,
        table: environment.text("TABLE_NAME")?,
        default_policy: environment.default_policy()?,
        images_per_day: environment.parse("IMAGES_PER_DAY", "a whole number")?,
        state_machine_arn: environment.text("STATE_MACHINE_ARN")?,
    };
    lambda_http::run(router(api)).await
}
