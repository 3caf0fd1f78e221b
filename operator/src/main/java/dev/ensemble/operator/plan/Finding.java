package dev.ensemble.operator.plan;

/// What a condition of the status is, but for since when.
///
/// @param status `True`, `False` or `Unknown`
/// @param message in words for people
record Finding(String status, Reason reason, String message) {
    static final String TRUE = "True";

    /// {@return that it is so}
    static Finding is(Reason reason, String message) {
        return new Finding(TRUE, reason, message);
    }

    /// {@return that it is not so}
    static Finding not(Reason reason, String message) {
        return new Finding("False", reason, message);
    }

    /// {@return that nobody can tell}
    static Finding unknown(Reason reason, String message) {
        return new Finding("Unknown", reason, message);
    }

    boolean isTrue() {
        return status.equals(TRUE);
    }
}
