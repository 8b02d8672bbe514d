/// The running state of a 64-bit FNV-1a hash (Fowler, Noll, Vo): the same in every process and release.
///
/// Callers compile it in: a call for each byte of a large file would cost more than the hash.
@usableFromInline
package struct FNV1a {
    /// The hash of what was added.
    @usableFromInline package var value: UInt64

    /// Starts at the offset basis, or goes on from an earlier value.
    @inlinable package init(_ value: UInt64 = 0xCBF2_9CE4_8422_2325) { self.value = value }

    /// Adds bytes, or words in place of bytes.
    @inlinable package mutating func add(_ words: some Sequence<some UnsignedInteger>) {
        for word in words { value = (value ^ UInt64(word)) &* 0x0000_0100_0000_01B3 }
    }
}

/// The hash of bytes.
@inlinable package func fnv1a(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var hash = FNV1a()
    hash.add(bytes)
    return hash.value
}
