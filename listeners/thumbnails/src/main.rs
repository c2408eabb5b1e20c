//! The Lambda function of the `thumbnails` listener.

use domain::metric::Function;
use lambda::{Environment, Error};
use picture_process::{PictureProcess, run_if_child};
use records::Records;
use thumbnails::{Thumbnails, handle};

fn main() -> Result<(), Error> {
    run(run_if_child())
}

#[tokio::main(flavor = "current_thread")]
async fn run(process: PictureProcess) -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = aws::step_config().await;
    let thumbnails = Thumbnails {
        s3: aws_sdk_s3::Client::new(&config),
        records: Records::new(
            aws_sdk_dynamodb::Client::new(&config),
            environment.text("TABLE_NAME")?,
        ),
        process,
        bucket: environment.text("BUCKET_NAME")?,
    };
    lambda::run(Function::Thumbnails, async |input| {
        handle(&thumbnails, input).await
    })
    .await
}
