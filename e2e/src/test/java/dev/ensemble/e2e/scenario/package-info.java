/// One file for each story, told as its user would live it. Imports `harness` and `check`, and
/// names `client` as the program to run.
@NullMarked
package dev.ensemble.e2e.scenario;

import org.jspecify.annotations.NullMarked;
