//! The Lambda function of the `check-import` step.

use check_import::{CheckImport, handle};
use domain::metric::Function;
use lambda::{Environment, Error};
use records::Records;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = aws::step_config().await;
    let step = CheckImport {
        s3: aws_sdk_s3::Client::new(&config),
        bucket: environment.text("BUCKET_NAME")?,
        records: Records::new(
            aws_sdk_dynamodb::Client::new(&config),
            environment.text("TABLE_NAME")?,
        ),
        sfn: aws_sdk_sfn::Client::new(&config),
    };
    lambda::run(Function::CheckImport, async |input| handle(&step, input).await).await
}
