//! Wires the `filter-labels` step to Lambda.

use lambda::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    lambda::run(async |input| filter_labels::handle(input)).await
}
