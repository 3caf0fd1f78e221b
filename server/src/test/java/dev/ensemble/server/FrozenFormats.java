package dev.ensemble.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.EnumDescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.FileDescriptor;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/// What an older build has written and sent, in `src/test/resources/frozen`: this one must
/// understand it, as a member of release N works with one of N-1 (`docs/testing.md`).
public final class FrozenFormats {
    /// The format versions that are kept. A release that raises a version adds a folder.
    public static final int VERSION = 1;

    private FrozenFormats() {}

    /// {@return a file of that version}
    public static byte[] read(int version, String name) throws IOException {
        try (InputStream in = FrozenFormats.class.getResourceAsStream(path(version, name))) {
            assertNotNull(in, path(version, name));
            return in.readAllBytes();
        }
    }

    private static String path(int version, String name) {
        return "/frozen/" + version + "/" + name;
    }

    /// Writes a file of the present version, under a resources folder.
    public static void write(Path resources, String name, byte[] content) throws IOException {
        Path file = resources.resolve(path(VERSION, name).substring(1));
        Files.createDirectories(file.getParent());
        Files.write(file, content);
    }

    /// Whatever was in the schema is there still, with the same number and type: else old bytes
    /// would mean something else now, or new ones to an older build.
    public static void assertCompatible(int version, String name, FileDescriptor now)
            throws IOException {
        FileDescriptorProto then = FileDescriptorProto.parseFrom(read(version, name));
        messages("", then.getMessageTypeList(), now.toProto().getMessageTypeList());
        enums("", then.getEnumTypeList(), now.toProto().getEnumTypeList());
    }

    private static void messages(
            String where, List<DescriptorProto> then, List<DescriptorProto> now) {
        var present = byName(now, DescriptorProto::getName);
        for (DescriptorProto old : then) {
            String name = where + old.getName();
            DescriptorProto message = present.get(old.getName());
            assertNotNull(message, () -> "message " + name + " is gone");
            var fields = byName(message.getFieldList(), FieldDescriptorProto::getName);
            for (FieldDescriptorProto field : old.getFieldList()) {
                FieldDescriptorProto same = fields.get(field.getName());
                assertNotNull(same, () -> "field " + name + "." + field.getName() + " is gone");
                assertEquals(shape(field), shape(same), () -> name + "." + field.getName());
            }
            messages(name + ".", old.getNestedTypeList(), message.getNestedTypeList());
            enums(name + ".", old.getEnumTypeList(), message.getEnumTypeList());
        }
    }

    private static void enums(
            String where, List<EnumDescriptorProto> then, List<EnumDescriptorProto> now) {
        var present = byName(now, EnumDescriptorProto::getName);
        for (EnumDescriptorProto old : then) {
            EnumDescriptorProto same = present.get(old.getName());
            assertNotNull(same, () -> "enum " + where + old.getName() + " is gone");
            old.getValueList()
                    .forEach(value ->
                            assertEquals(
                                    true,
                                    same.getValueList().contains(value),
                                    () -> where + old.getName() + "." + value.getName()));
        }
    }

    private static List<Object> shape(FieldDescriptorProto field) {
        return List.of(
                field.getNumber(),
                field.getType(),
                field.getTypeName(),
                field.getLabel() == FieldDescriptorProto.Label.LABEL_REPEATED);
    }

    private static <T> java.util.Map<String, T> byName(List<T> all, Function<T, String> name) {
        return all.stream().collect(Collectors.toMap(name, Function.identity()));
    }
}
