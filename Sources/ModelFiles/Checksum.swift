package import Failures
import Files

/// The 64-bit hash XXH64 with seed 0 of bytes that come in pieces: tells a file that is not as it was written.
///
/// As the xxHash specification describes it: four lanes over stripes of 32 bytes, merged, then the rest by 8, 4 and 1.
/// It guards against faults, not against forgers.
package struct Checksum {
    private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

    private var lane1 = prime1 &+ prime2
    private var lane2 = prime2
    private var lane3: UInt64 = 0
    private var lane4 = 0 &- prime1
    /// Bytes that do not fill a stripe yet: fewer than 32.
    private var pending: [UInt8] = []
    /// How many bytes there were.
    package private(set) var count = 0

    /// Of no bytes yet.
    package init() {}

    /// Takes more elements, as they lie in memory.
    package mutating func add<Element: BitwiseCopyable>(_ elements: Span<Element>) {
        let bytes = unsafe elements.bytes
        count += bytes.byteCount
        var offset = 0
        if !pending.isEmpty {
            while pending.count < 32, offset < bytes.byteCount {
                pending.append(Self.byte(bytes, offset))
                offset += 1
            }
            guard pending.count == 32 else { return }
            let stripe = pending
            unsafe addStripe(stripe.span.bytes, 0)
            pending = []
        }
        while offset + 32 <= bytes.byteCount {
            addStripe(bytes, offset)
            offset += 32
        }
        for rest in offset..<bytes.byteCount { pending.append(Self.byte(bytes, rest)) }
    }

    /// The hash of all bytes so far.
    package var value: UInt64 {
        var hash = Self.prime5
        if count >= 32 {
            hash =
                Self.rotated(lane1, by: 1) &+ Self.rotated(lane2, by: 7) &+ Self.rotated(lane3, by: 12)
                &+ Self.rotated(lane4, by: 18)
            for lane in [lane1, lane2, lane3, lane4] {
                hash = (hash ^ Self.mixed(0, lane)) &* Self.prime1 &+ Self.prime4
            }
        }
        hash &+= UInt64(count)
        let rest = unsafe pending.span.bytes
        var offset = 0
        while offset + 8 <= rest.byteCount {
            hash = Self.rotated(hash ^ Self.mixed(0, Self.word(rest, offset)), by: 27) &* Self.prime1 &+ Self.prime4
            offset += 8
        }
        if offset + 4 <= rest.byteCount {
            let half = UInt64(unsafe rest.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
            hash = Self.rotated(hash ^ (half &* Self.prime1), by: 23) &* Self.prime2 &+ Self.prime3
            offset += 4
        }
        while offset < rest.byteCount {
            hash = Self.rotated(hash ^ (UInt64(Self.byte(rest, offset)) &* Self.prime5), by: 11) &* Self.prime1
            offset += 1
        }
        hash = (hash ^ hash >> 33) &* Self.prime2
        hash = (hash ^ hash >> 29) &* Self.prime3
        return hash ^ hash >> 32
    }

    /// The hash as 16 hexadecimal digits.
    package var text: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private mutating func addStripe(_ bytes: RawSpan, _ offset: Int) {
        lane1 = Self.mixed(lane1, Self.word(bytes, offset))
        lane2 = Self.mixed(lane2, Self.word(bytes, offset + 8))
        lane3 = Self.mixed(lane3, Self.word(bytes, offset + 16))
        lane4 = Self.mixed(lane4, Self.word(bytes, offset + 24))
    }

    private static func mixed(_ lane: UInt64, _ word: UInt64) -> UInt64 {
        rotated(lane &+ word &* prime2, by: 31) &* prime1
    }

    private static func rotated(_ word: UInt64, by bits: UInt64) -> UInt64 { word &<< bits | word &>> (64 - bits) }

    /// Little-endian, like every machine that this runs on.
    private static func word(_ bytes: RawSpan, _ offset: Int) -> UInt64 {
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }

    private static func byte(_ bytes: RawSpan, _ offset: Int) -> UInt8 {
        unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }
}

/// How long a file is and what its bytes hash to.
package struct FileSeal: Codable, Equatable, Sendable {
    /// Its length.
    package let bytes: Int
    /// Its `Checksum`, in hexadecimal.
    package let xxh64: String

    /// Of bytes that were written.
    init(_ checksum: Checksum) {
        bytes = checksum.count
        xxh64 = checksum.text
    }

    /// Of bytes in memory.
    package init(of bytes: [UInt8]) {
        var checksum = Checksum()
        checksum.add(bytes.span)
        self.init(checksum)
    }
}

extension FileSeal {
    /// Of a file, read to its end or to a length.
    ///
    /// - Throws: `Failure` where that fails.
    package init(reading path: String, upTo length: Int = .max) throws(Failure) {
        let file = try RegularFile(path: path)
        let end = min(file.size, max(0, length))
        var checksum = Checksum()
        while checksum.count < end {
            let piece = try file.bytes(checksum.count..<min(checksum.count + 1 << 22, end))
            checksum.add(piece.span)
        }
        self.init(checksum)
    }

    /// Reads a file to see whether it is the one that was written.
    ///
    /// - Throws: `Failure` with `badData` where it is not, another where it cannot be read.
    package func check(_ path: String) throws(Failure) {
        let size = try RegularFile(path: path).size
        guard size == bytes else {
            throw Failure(.badData, "has \(size) bytes, not \(bytes) as when it was written", at: path)
        }
        guard try FileSeal(reading: path) == self else {
            throw Failure(.badData, "is not as it was written: its checksum differs", at: path)
        }
    }
}
