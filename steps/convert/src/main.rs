//! The Lambda function of the `convert` step.

use convert::{Convert, handle};
use domain::metric::Function;
use lambda::{Environment, Error};
use picture_process::{PictureProcess, run_if_child};
use records::Records;

fn main() -> Result<(), Error> {
    run(run_if_child())
}

#[tokio::main(flavor = "current_thread")]
async fn run(process: PictureProcess) -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = aws::step_config().await;
    let convert = Convert {
        s3: aws_sdk_s3::Client::new(&config),
        records: Records::new(
            aws_sdk_dynamodb::Client::new(&config),
            environment.text("TABLE_NAME")?,
        ),
        process,
    };
    lambda::run(Function::Convert, async |input| handle(&convert, input).await).await
}
