/// What scenarios are made of: a cluster of either kind, images and chart on it, faults, and views
/// of what the API server says.
///
/// Imports nothing of ours. Start with `Cluster`.
@NullMarked
package dev.ensemble.e2e.harness;

import org.jspecify.annotations.NullMarked;
