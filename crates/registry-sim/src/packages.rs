//! What a test does with the packages of one system.

use crate::World;
use crate::shelf::System;
use jiff::Timestamp;
use std::sync::Arc;

/// The packages of a system: what is published, taken back and removed.
#[derive(Clone)]
pub struct Packages {
    world: Arc<World>,
    system: System,
}

impl Packages {
    pub(crate) fn new(world: &Arc<World>, system: System) -> Self {
        Self { world: Arc::clone(world), system }
    }

    /// Publishes a release now.
    pub fn release(&self, name: &str, version: &str) {
        let now = self.world.now();
        self.release_at(name, version, now);
    }

    /// Publishes a release with a publishing time of your choice, backdated ones included.
    pub fn release_at(&self, name: &str, version: &str, published_at: Timestamp) {
        self.world.lock().shelf.release(self.system, name, version, Some(published_at));
    }

    /// Publishes a release that carries no publishing time.
    pub fn release_undated(&self, name: &str, version: &str) {
        self.world.lock().shelf.release(self.system, name, version, None);
    }

    /// The publisher says where the source code of a package is, in whatever words.
    pub fn source(&self, name: &str, said: &str) {
        self.world.lock().shelf.pages_mut(self.system, name).source = Some(said.to_owned());
    }

    /// The publisher says which page a package has.
    pub fn homepage(&self, name: &str, said: &str) {
        self.world.lock().shelf.pages_mut(self.system, name).homepage = Some(said.to_owned());
    }

    /// Uploads one more file of a Python release, now: a wheel for a platform like `manylinux_2_28_x86_64`.
    ///
    /// # Panics
    /// If there is no such release: the test is wrong.
    pub fn add_wheel(&self, name: &str, version: &str, platform: &str) {
        let now = self.world.now();
        let added = self.world.lock().shelf.add_wheel(name, version, platform, now);
        assert!(added, "there is no release {name} {version} to add a file to");
    }

    /// Takes a release back: yanked in one system, deprecated in another.
    ///
    /// # Panics
    /// If there is no such release: the test is wrong.
    pub fn yank(&self, name: &str, version: &str) {
        let yanked = self.world.lock().shelf.yank(self.system, name, version);
        assert!(yanked, "there is no release {name} {version} to yank");
    }

    /// Removes a release as if it had never been there. An npm package whose last release goes is unpublished.
    ///
    /// # Panics
    /// If there is no such release: the test is wrong.
    pub fn delete_release(&self, name: &str, version: &str) {
        let deleted = self.world.lock().shelf.delete(self.system, name, version);
        assert!(deleted, "there is no release {name} {version} to delete");
    }
}
