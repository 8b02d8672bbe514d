import Foundation

/// Unicode's form NFC of a text, in time that grows as its length.
///
/// Foundation puts the combining marks of a character into order by insertion, which takes the square of their
/// number, and leaves what three Tibetan vowels decompose to where it stands. More than `longest` marks in a row, of
/// which no writing system has half as many, and those vowels are therefore put into order before.
func canonicallyComposed(_ text: String, longest: Int = 32) -> String {
    var ordered = String.UnicodeScalarView()
    var marks: [Unicode.Scalar] = []
    var isOrdered = true
    func flush() {
        if marks.count > longest || marks.contains(where: isTibetanVowel) {
            ordered.append(contentsOf: inCanonicalOrder(marks))
            isOrdered = false
        } else {
            ordered.append(contentsOf: marks)
        }
        marks.removeAll(keepingCapacity: true)
    }
    for scalar in text.unicodeScalars {
        if isMark(scalar) {
            marks.append(scalar)
        } else {
            if !marks.isEmpty { flush() }
            ordered.append(scalar)
        }
    }
    flush()
    return (isOrdered ? text : String(ordered)).precomposedStringWithCanonicalMapping
}

/// Whether a scalar, or all that it decomposes to, combines with what stands before it.
private func isMark(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x300 { return false }
    return scalar.properties.canonicalCombiningClass != .notReordered || isTibetanVowel(scalar)
}

/// Of combining class 0, but made of nothing but marks.
private func isTibetanVowel(_ scalar: Unicode.Scalar) -> Bool { [0xF73, 0xF75, 0xF81].contains(scalar.value) }

/// Marks in a row, decomposed, by combining class and within a class as they came.
private func inCanonicalOrder(_ marks: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var byClass = [[Unicode.Scalar]](repeating: [], count: 256)
    for mark in marks {
        for part in String(mark).decomposedStringWithCanonicalMapping.unicodeScalars {
            byClass[Int(part.properties.canonicalCombiningClass.rawValue)].append(part)
        }
    }
    return Array(byClass.joined())
}
