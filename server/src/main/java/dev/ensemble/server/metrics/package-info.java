/// Figures that grow while a member runs: [dev.ensemble.server.metrics.Summary] for what has a
/// distribution. Imports nothing of ours; who counts is who knows.
@NullMarked
package dev.ensemble.server.metrics;

import org.jspecify.annotations.NullMarked;
