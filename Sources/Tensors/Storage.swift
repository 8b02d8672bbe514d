import CKernels
import Glibc

/// Memory of one tensor and its views, released with the last reference: 64-byte aligned and zeroed, or a mapped file.
///
/// A final class, so that views share it; the pointer never leaves this room.
@safe
final class Storage {
    /// The first byte.
    let base: UnsafeMutableRawPointer
    /// How many bytes are mapped; nil where the memory is allocated.
    private let mappedBytes: Int?

    /// Blocks from this size on are aligned for, and advised to use, 2 MiB pages, which makes touching them cheaper.
    private static let hugePage = 2 << 20
    /// Done once: they also get pages of their own, so that a buffer that is outgrown leaves nothing behind.
    private static let largeBlocksAreMapped: Void = ck_map_large_blocks(hugePage)

    /// Zeroed memory of `bytes` bytes.
    init(bytes: Int) {
        // Rounded up to whole vectors.
        let size = max(64, (bytes + 63) / 64 * 64)
        let large = size >= Self.hugePage
        if large { Self.largeBlocksAreMapped }
        var pointer: UnsafeMutableRawPointer?
        let code = unsafe posix_memalign(&pointer, large ? Self.hugePage : 64, size)
        guard code == 0, let pointer = unsafe pointer else {
            fatalError("out of memory: \(size) bytes for a tensor")
        }
        if large { _ = unsafe madvise(pointer, size, MADV_HUGEPAGE) }
        unsafe memset(pointer, 0, size)
        unsafe base = pointer
        mappedBytes = nil
        ck_count_allocation()
    }

    /// The first `bytes` bytes of a file, mapped read-only; nil where the system refuses, as `errno` says.
    init?(mapping descriptor: Int32, bytes: Int) {
        let pointer = unsafe mmap(nil, bytes, PROT_READ, MAP_SHARED, descriptor, 0)
        guard let pointer = unsafe pointer, unsafe pointer != MAP_FAILED else { return nil }
        unsafe base = pointer
        mappedBytes = bytes
    }

    deinit {
        if let mappedBytes {
            unsafe munmap(base, mappedBytes)
        } else {
            unsafe free(base)
        }
    }
}

/// Gives memory of tensors that are gone back to the system: between stages, since what the allocator keeps for later
/// counts as used.
package func releaseFreedMemory() { ck_release_memory() }

extension Tensor {
    /// Gives the elements' memory back to the system, as far as they fill pages: for what is not read before it is
    /// written again.
    ///
    /// Their values are lost; the tensor stays as it is otherwise, and takes memory again where it is written.
    package func discardPages() { unsafe ck_give_back(bytes, count * elementType.size) }

    /// For a tensor of which parts are to be given back: small pages, since the system fills up huge ones.
    package func useSmallPages() { unsafe ck_use_small_pages(bytes, count * elementType.size) }
}
