/// The resource `Ensemble`: its spec, its status and the rules that both keep. The definition in
/// `crds/` is generated from these records. May import Fabric8's model and annotations only. Start
/// at [Ensemble] and [EnsembleSpec].
@NullMarked
package dev.ensemble.operator.api;

import org.jspecify.annotations.NullMarked;
