//! The Lambda function of the `copy-objects` step.

use copy_objects::{CopyObjects, handle};
use domain::metric::Function;
use lambda::{Environment, Error};
use records::Records;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = aws::step_config().await;
    let step = CopyObjects {
        s3: aws_sdk_s3::Client::new(&config),
        bucket: environment.text("BUCKET_NAME")?,
        records: Records::new(
            aws_sdk_dynamodb::Client::new(&config),
            environment.text("TABLE_NAME")?,
        ),
        per_second: environment.parse("BULK_IMAGES_PER_SECOND", "a whole number of at least 1")?,
    };
    lambda::run(Function::CopyObjects, async |batch| handle(&step, batch).await).await
}
