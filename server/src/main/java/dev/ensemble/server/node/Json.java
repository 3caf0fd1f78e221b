package dev.ensemble.server.node;

import com.fasterxml.jackson.jr.ob.JSON;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;

/// An object of JSON in the making: keys stay in the order in which they come, and a fact that is
/// not known is `null`.
final class Json {
    private static final JSON WRITER =
            JSON.std
                    .with(JSON.Feature.PRETTY_PRINT_OUTPUT)
                    .with(JSON.Feature.WRITE_NULL_PROPERTIES);

    private final Map<String, @Nullable Object> fields = new LinkedHashMap<>();

    Json put(String key, @Nullable Object value) {
        fields.put(key, value instanceof Json json ? json.fields : value);
        return this;
    }

    Map<String, @Nullable Object> fields() {
        return fields;
    }

    @Override
    public String toString() {
        try {
            return WRITER.asString(fields);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
