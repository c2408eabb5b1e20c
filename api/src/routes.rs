//! The routes, one module for each, and what several of them share: the labels, thumbnails and file of an image.

pub(crate) mod account;
pub(crate) mod corrections;
pub(crate) mod deletion;
pub(crate) mod description;
pub(crate) mod duplicates;
pub(crate) mod execution;
pub(crate) mod images;
pub(crate) mod jobs;
mod label;
pub(crate) mod labels;
pub(crate) mod list;
pub(crate) mod parts;
mod record;
pub(crate) mod relabel;
pub(crate) mod settings;
mod thumbnails;
pub(crate) mod timeline;
pub(crate) mod uploads;
mod video;
pub(crate) mod video_timeline;
mod view;
