import Glibc

/// Memory of one tensor and its views: 64-byte aligned, zeroed, released with the last reference.
///
/// A final class, so that views share it; the pointer never leaves this room.
@safe
final class Storage {
    /// The first byte.
    let base: UnsafeMutableRawPointer

    /// Blocks from this size on are aligned for, and advised to use, 2 MiB pages, which makes touching them cheaper.
    private static let hugePage = 2 << 20

    /// Zeroed memory of `bytes` bytes.
    init(bytes: Int) {
        // Rounded up to whole vectors.
        let size = max(64, (bytes + 63) / 64 * 64)
        let large = size >= Self.hugePage
        var pointer: UnsafeMutableRawPointer?
        let code = unsafe posix_memalign(&pointer, large ? Self.hugePage : 64, size)
        guard code == 0, let pointer = unsafe pointer else {
            fatalError("out of memory: \(size) bytes for a tensor")
        }
        if large { _ = unsafe madvise(pointer, size, MADV_HUGEPAGE) }
        unsafe memset(pointer, 0, size)
        unsafe base = pointer
    }

    deinit {
        unsafe free(base)
    }
}
