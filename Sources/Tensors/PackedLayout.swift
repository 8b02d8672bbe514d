import CKernels

/// Where S packed sequences lie among N rows.
///
/// Sequences that share a prefix begin alike: the first one has all its rows, and the others that follow it read the
/// prefix among its rows (Wang & Hegde 2024, arXiv 2410.20305, with any number of sequences).
package struct PackedLayout: Equatable, Sendable {
    /// Where each sequence's own rows start, and N last: S + 1 numbers.
    package let offsets: [Int32]
    /// How many rows before its own each sequence shares with the first one, S numbers; 0: it is a first one itself.
    package let prefixLengths: [Int32]

    /// States where the sequences are.
    package init(offsets: [Int32], prefixLengths: [Int32]) {
        precondition(
            offsets.first == 0 && zip(offsets, offsets.dropFirst()).allSatisfy(<=),
            "offsets must ascend from 0"
        )
        precondition(
            prefixLengths.count == offsets.count - 1,
            "\(prefixLengths.count) sequences with \(offsets.count) offsets"
        )
        var prefix: Int32 = 0
        for (index, rows) in prefixLengths.enumerated() {
            if rows == 0 { prefix = offsets[index + 1] - offsets[index] }
            precondition(0...prefix ~= rows, "sequence \(index) shares \(rows) of \(prefix) rows")
        }
        self.offsets = offsets
        self.prefixLengths = prefixLengths
    }

    /// Sequences that share nothing.
    package init(offsets: [Int32]) {
        self.init(offsets: offsets, prefixLengths: Array(repeating: 0, count: max(0, offsets.count - 1)))
    }

    /// N.
    package var rows: Int { Int(offsets[offsets.count - 1]) }

    /// Calls `body` with what the kernels take.
    @unsafe func withKernelArgument(_ body: (UnsafePointer<ck_sequences>) -> Void) {
        unsafe offsets.withUnsafeBufferPointer { offsets in
            unsafe prefixLengths.withUnsafeBufferPointer { prefixLengths in
                var sequences = unsafe ck_sequences(
                    offsets: offsets.baseAddress,
                    shared: prefixLengths.baseAddress,
                    count: prefixLengths.count
                )
                unsafe body(&sequences)
            }
        }
    }
}
