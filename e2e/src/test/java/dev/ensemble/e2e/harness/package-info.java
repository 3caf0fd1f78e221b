/// What scenarios are made of: a cluster of either kind, images and chart on it, faults, and views
/// of what the API server says.
///
/// Imports `check`, and names `client` as the program to run. Start with `Story`.
@NullMarked
package dev.ensemble.e2e.harness;

import org.jspecify.annotations.NullMarked;
