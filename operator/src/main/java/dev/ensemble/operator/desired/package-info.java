/// From the spec to what should exist: `zoo.cfg` and the Kubernetes objects, one small pure class
/// for each kind. May import `api`. Start at [Desired].
@NullMarked
package dev.ensemble.operator.desired;

import org.jspecify.annotations.NullMarked;
