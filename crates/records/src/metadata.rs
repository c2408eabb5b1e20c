//! What a file's header says, in an image's record.

use crate::attribute::{HEIGHT, METADATA, SIZE, VIDEO, WIDTH};
use crate::expression::{Expressions, Update, number};
use crate::key::Key;
use crate::result::is_held;
use crate::{Records, RecordsError, attribute_value};
use domain::{Claim, Metadata, VideoFile};

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

    /// Stores what is known of a video, and when it was recorded, if the claim still holds. Returns whether it does. While a
    /// video is labeled again, the record keeps what belongs to its last result.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn store_video(
        &self,
        claim: &Claim,
        file: &VideoFile,
        metadata: &Metadata,
    ) -> Result<bool, RecordsError> {
        let facts = &file.video.facts;
        let mut update = Update::new()
            .set_if_absent(VIDEO, attribute_value(&file.video)?)
            .set(SIZE, number(file.size))
            .set(WIDTH, number(facts.width))
            .set(HEIGHT, number(facts.height));
        if !metadata.is_empty() {
            update = update.set(METADATA, attribute_value(metadata)?);
        }
        let expressions = Expressions::new().condition(is_held(claim)).update(update);
        Ok(self.update_if(&Key::of_claim(claim), expressions).await?)
    }
}
