/// A bucket of an S3-compatible store, for backups: alone in knowing Amazon's library. May import
/// nothing of ours. Start at `Bucket`.
@NullMarked
package dev.ensemble.server.tool.s3;

import org.jspecify.annotations.NullMarked;
