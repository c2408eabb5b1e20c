//! The Lambda function of the `validate` step.

use domain::metric::Function;
use lambda::{Environment, Error};
use records::Records;
use validate::{Validate, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = aws::step_config().await;
    let validate = Validate {
        s3: aws_sdk_s3::Client::new(&config),
        records: Records::new(
            aws_sdk_dynamodb::Client::new(&config),
            environment.text("TABLE_NAME")?,
        ),
        sfn: aws_sdk_sfn::Client::new(&config),
        video_state_machine_arn: environment.text("VIDEO_STATE_MACHINE_ARN")?,
        bucket: environment.text("BUCKET_NAME")?,
        default_policy: environment.default_policy()?,
        decode_heic: environment.parse("DECODE_HEIC", "true or false")?,
    };
    lambda::run(Function::Validate, async |input| handle(&validate, input).await).await
}
