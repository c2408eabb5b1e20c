//! Wires the `thumbnails` function to Lambda.

use lambda::{Environment, Error};
use thumbnails::{Thumbnails, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = lambda::aws::step_config().await;
    let thumbnails = Thumbnails {
        s3: aws_sdk_s3::Client::new(&config),
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
        bucket: environment.text("BUCKET_NAME")?,
        table: environment.text("TABLE_NAME")?,
    };
    lambda::run(async |input| handle(&thumbnails, input).await).await
}
