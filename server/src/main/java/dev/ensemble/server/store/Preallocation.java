package dev.ensemble.server.store;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/// Takes space for a file without writing it, which Java has no call for: `posix_fallocate`.
///
/// A sparse file is no reserve, and writing hundreds of MiB of zeroes at each first start would
/// delay the syncs of every member on that disk.
final class Preallocation {
    private static final int OWNER_READS_AND_WRITES = 0600;
    private static final int NO_SPACE = 28;

    private static final @Nullable MethodHandle CREATE =
            find("creat", ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
    private static final @Nullable MethodHandle ALLOCATE =
            find(
                    "posix_fallocate",
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG);
    private static final @Nullable MethodHandle CLOSE = find("close", ValueLayout.JAVA_INT);

    private Preallocation() {}

    @SuppressWarnings("restricted") // Whoever starts the process allows it; without, see #allocate.
    private static @Nullable MethodHandle find(
            String name, java.lang.foreign.MemoryLayout... arguments) {
        if (ValueLayout.ADDRESS.byteSize() != Long.BYTES) {
            return null; // There `off_t` may have four bytes.
        }
        Linker linker = Linker.nativeLinker();
        return linker.defaultLookup()
                .find(name)
                .map(at ->
                        linker.downcallHandle(
                                at, FunctionDescriptor.of(ValueLayout.JAVA_INT, arguments)))
                .orElse(null);
    }

    /// Makes a file, in place of one of that name, that has so many bytes, all zero.
    ///
    /// @return false if this system cannot; nothing of use is there then
    /// @throws IOException if there is no space
    static boolean allocate(Path file, long bytes) throws IOException {
        if (CREATE == null || ALLOCATE == null || CLOSE == null) {
            return false;
        }
        int error;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = arena.allocateFrom(file.toString());
            int descriptor = (int) CREATE.invokeExact(path, OWNER_READS_AND_WRITES);
            if (descriptor < 0) {
                return false;
            }
            try {
                error = (int) ALLOCATE.invokeExact(descriptor, 0L, bytes);
            } finally {
                int ignored = (int) CLOSE.invokeExact(descriptor);
                assert ignored <= 0;
            }
        } catch (IOException | RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("calling the C library failed", e);
        }
        if (error == NO_SPACE) {
            throw new IOException(file + ": no space left for " + bytes + " bytes");
        }
        return error == 0;
    }
}
