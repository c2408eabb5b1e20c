//! Wires the `convert` step to Lambda.

use convert::{Convert, handle};
use lambda::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let config = lambda::aws::step_config().await;
    let convert = Convert {
        s3: aws_sdk_s3::Client::new(&config),
    };
    lambda::run(async |input| handle(&convert, input).await).await
}
