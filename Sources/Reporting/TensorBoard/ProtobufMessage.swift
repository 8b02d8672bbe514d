/// A protocol buffer message in its wire format, written field by field.
struct ProtobufMessage {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ field: Int, _ integer: UInt64) {
        key(field, wire: 0)
        varint(integer)
    }

    mutating func add(_ field: Int, _ double: Double) {
        key(field, wire: 1)
        fixed(double.bitPattern)
    }

    mutating func add(_ field: Int, _ float: Float) {
        key(field, wire: 5)
        fixed(float.bitPattern)
    }

    mutating func add(_ field: Int, _ text: String) { add(field, Array(text.utf8)) }

    mutating func add(_ field: Int, _ message: ProtobufMessage) { add(field, message.bytes) }

    mutating func add(_ field: Int, packed doubles: [Double]) {
        key(field, wire: 2)
        varint(UInt64(8 * doubles.count))
        for double in doubles { fixed(double.bitPattern) }
    }

    private mutating func add(_ field: Int, _ content: [UInt8]) {
        key(field, wire: 2)
        varint(UInt64(content.count))
        bytes += content
    }

    private mutating func key(_ field: Int, wire: Int) { varint(UInt64(field << 3 | wire)) }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest > 0x7F {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private mutating func fixed(_ value: some FixedWidthInteger) { bytes += littleEndian(value) }
}

/// An integer's bytes, the lowest first.
func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    (0..<Value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> Value(8 * $0)) }
}
