//! The Lambda function of the `filter-labels` step.

use lambda::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    lambda::run(async |input| filter_labels::handle(input)).await
}
