//! The Lambda function of the `notify` step.

use domain::metric::Function;
use events::EventBus;
use lambda::{Environment, Error};
use notify::{Notify, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let config = aws::step_config().await;
    let notify = Notify {
        bus: EventBus {
            eventbridge: aws_sdk_eventbridge::Client::new(&config),
            name: Environment::process().text("EVENT_BUS_NAME")?,
        },
    };
    lambda::run(Function::Notify, async |input| handle(&notify, input).await).await
}
