package dev.ensemble.operator.desired;

import dev.ensemble.operator.api.SpecRules;

/// A part of the spec that is passed on as it stands turned out not to be what a pod can have.
public final class InvalidSpec extends Exception {
    private static final long serialVersionUID = 1;

    private final transient SpecRules.Problem problem;

    InvalidSpec(String field, String says) {
        super(field + ": " + says);
        problem = new SpecRules.Problem(field, says);
    }

    public SpecRules.Problem problem() {
        return problem;
    }
}
