package dev.ensemble.operator.tool;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.exc.InvalidFormatException;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;

import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.api.SpecRules;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// An `Ensemble` as a person writes it in a file, checked without an API server.
record EnsembleFile(String name, EnsembleSpec spec) {
    private static final ObjectMapper YAML =
            new ObjectMapper(new YAMLFactory())
                    .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

    /// The whole file; the field names are Kubernetes'.
    record Whole(
            @Nullable String apiVersion,
            @Nullable String kind,
            @Nullable Metadata metadata,
            @Nullable EnsembleSpec spec) {}

    /// As much of the metadata as we use.
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Metadata(@Nullable String name) {}

    /// {@return what the file says}
    ///
    /// @throws Refusal with the field and what would be valid, if it cannot work
    static EnsembleFile read(Path file) {
        String text;
        try {
            text = Files.readString(file);
        } catch (IOException e) {
            throw new Refusal("cannot read " + file + ": " + Refusal.reason(e));
        }
        return parse(file.toString(), text);
    }

    static EnsembleFile parse(String file, String text) {
        Whole whole;
        try {
            whole = YAML.readValue(text, Whole.class);
        } catch (JsonProcessingException e) {
            throw new Refusal(file + ": " + say(e));
        }
        if (whole == null) {
            throw new Refusal(file + " is empty; expected an Ensemble");
        }
        if (!"ensemble.dev/v1alpha1".equals(whole.apiVersion())) {
            throw new Refusal(
                    "%s: apiVersion: '%s' is not valid; valid: ensemble.dev/v1alpha1"
                            .formatted(file, whole.apiVersion()));
        }
        if (!"Ensemble".equals(whole.kind())) {
            throw new Refusal(
                    "%s: kind: '%s' is not valid; valid: Ensemble".formatted(file, whole.kind()));
        }
        Metadata metadata = whole.metadata();
        if (metadata == null || metadata.name() == null) {
            throw new Refusal(file + ": metadata.name is missing");
        }
        EnsembleSpec spec = whole.spec() == null ? EnsembleSpec.defaults() : whole.spec();
        return new EnsembleFile(metadata.name(), spec).checked(file);
    }

    /// {@return this, if it can work}
    ///
    /// @param source the file or option that it came from
    EnsembleFile checked(String source) {
        List<SpecRules.Problem> problems = SpecRules.problems(name, spec);
        if (!problems.isEmpty()) {
            throw new Refusal(
                    problems.stream()
                            .map(problem -> source + ": " + problem)
                            .collect(Collectors.joining("\n")));
        }
        return this;
    }

    private static String say(JsonProcessingException e) {
        String where = e.getLocation() == null ? "" : " (line " + e.getLocation().getLineNr() + ")";
        return switch (e) {
            case UnrecognizedPropertyException unknown ->
                    "%s: there is no such field%s; known: %s"
                            .formatted(
                                    path(unknown),
                                    where,
                                    unknown.getKnownPropertyIds().stream()
                                            .map(Object::toString)
                                            .sorted()
                                            .collect(Collectors.joining(", ")));
            case InvalidFormatException invalid ->
                    "%s: '%s' is not valid%s; valid: %s"
                            .formatted(
                                    path(invalid),
                                    invalid.getValue(),
                                    where,
                                    valid(invalid.getTargetType()));
            case MismatchedInputException mismatched when !mismatched.getPath().isEmpty() ->
                    "%s: not of the right type%s; valid: %s"
                            .formatted(path(mismatched), where, valid(mismatched.getTargetType()));
            case JsonMappingException other when !other.getPath().isEmpty() ->
                    path(other) + ": " + firstLine(other) + where;
            default -> "not valid YAML: " + firstLine(e) + where;
        };
    }

    private static String valid(@Nullable Class<?> type) {
        if (type == null || type.isRecord() || Map.class.isAssignableFrom(type)) {
            return "fields with values";
        }
        if (List.class.isAssignableFrom(type)) {
            return "a list";
        }
        if (type == String.class) {
            return "a text";
        }
        if (type.isEnum()) {
            return Arrays.stream(type.getEnumConstants())
                    .map(Object::toString)
                    .collect(Collectors.joining(", "));
        }
        if (type == Integer.class) {
            return "a whole number";
        }
        return type == Boolean.class ? "true or false" : type.getSimpleName();
    }

    private static String path(JsonMappingException e) {
        return e.getPath().stream()
                .map(part ->
                        part.getFieldName() == null
                                ? "[" + part.getIndex() + "]"
                                : part.getFieldName())
                .collect(Collectors.joining("."))
                .replace(".[", "[");
    }

    private static String firstLine(JsonProcessingException e) {
        return e.getOriginalMessage().lines().findFirst().orElse("");
    }
}
