//! The camera metadata in an image's record.

use crate::attribute::METADATA;
use crate::expression::{Expressions, Update};
use crate::key::Key;
use crate::result::is_held;
use crate::{Records, RecordsError, attribute_value};
use domain::{Claim, Metadata};

impl Records {
    /// Stores the metadata if the claim still holds. Returns whether it does.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn store_metadata(&self, claim: &Claim, metadata: &Metadata) -> Result<bool, RecordsError> {
        let update = Update::new().set(METADATA, attribute_value(metadata)?);
        let expressions = Expressions::new().condition(is_held(claim)).update(update);
        Ok(self.update_if(&Key::of_claim(claim), expressions).await?)
    }
}
