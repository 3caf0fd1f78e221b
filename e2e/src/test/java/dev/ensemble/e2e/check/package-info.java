/// What clients saw, entry by entry, and what must hold of it: `Entry` is the history's language,
/// `Findings` its judge.
///
/// Imports nothing of ours.
@NullMarked
package dev.ensemble.e2e.check;

import org.jspecify.annotations.NullMarked;
