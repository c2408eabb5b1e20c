//! The Lambda function of the `summarize-import` step.

use domain::metric::Function;
use lambda::{Environment, Error};
use records::Records;
use summarize_import::{SummarizeImport, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = aws::step_config().await;
    let step = SummarizeImport {
        s3: aws_sdk_s3::Client::new(&config),
        bucket: environment.text("BUCKET_NAME")?,
        records: Records::new(
            aws_sdk_dynamodb::Client::new(&config),
            environment.text("TABLE_NAME")?,
        ),
    };
    lambda::run(Function::SummarizeImport, async |progress| {
        handle(&step, progress).await
    })
    .await
}
