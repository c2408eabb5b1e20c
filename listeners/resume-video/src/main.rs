//! The Lambda function of the `resume-video` listener.

use domain::metric::Function;
use lambda::{Environment, Error};
use records::Records;
use resume_video::{ResumeVideo, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = aws::step_config().await;
    let listener = ResumeVideo {
        sfn: aws_sdk_sfn::Client::new(&config),
        records: Records::new(
            aws_sdk_dynamodb::Client::new(&config),
            environment.text("TABLE_NAME")?,
        ),
    };
    lambda::run(Function::ResumeVideo, async |input| {
        handle(&listener, input).await
    })
    .await
}
