package dev.ensemble.e2e.check;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// What a fleet saw, in the order in which it was recorded.
public record History(List<Entry> entries) {
    private static final ObjectMapper JSON = new ObjectMapper();

    public History {
        entries = List.copyOf(entries);
    }

    /// {@return the line of an entry, without a line end}
    public static String line(Entry entry) {
        try {
            // Written as the interface: else the kind is left out.
            return JSON.writerFor(Entry.class).writeValueAsString(entry);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("cannot write " + entry, e);
        }
    }

    /// Reads a history, also one that is being written: a last line without its end is left out.
    ///
    /// @throws UncheckedIOException if the file cannot be read or a line is not an entry
    public static History read(Path file) {
        try {
            String text = Files.readString(file);
            String whole = text.substring(0, text.lastIndexOf('\n') + 1);
            return new History(
                    whole.lines().filter(l -> !l.isBlank()).map(History::parse).toList());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the history " + file, e);
        }
    }

    static Entry parse(String line) {
        try {
            return JSON.readValue(line, Entry.class);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException("not an entry: " + line, e);
        }
    }

    /// {@return the entries of one kind}
    public <E extends Entry> Stream<E> of(Class<E> kind) {
        return entries.stream().filter(kind::isInstance).map(kind::cast);
    }

    /// {@return whether the fleet came to its end}
    public boolean finished() {
        return of(Entry.Finished.class).findAny().isPresent();
    }
}
