import Testing

@testable import Reporting

@Suite struct TableTests {
    @Test func alignsTextLeftAndFiguresRight() {
        var table = Table(["policy", "KL (nats)", "positive"])
        table.add(["maxmin", "1.5", "0.75 [0.70, 0.80]"])
        table.add(["single", "12.25", "–"])
        #expect(
            table.text == """
                policy  KL (nats)           positive
                ------  ---------  -----------------
                maxmin        1.5  0.75 [0.70, 0.80]
                single      12.25                  –

                """
        )
    }

    @Test func aTableWithoutRowsIsItsHead() {
        #expect(Table(["a", "bc"]).text == "a  bc\n-  --\n")
    }

    @Test func controlsAreShown() {
        var table = Table(["a\u{202E}b", "n"])
        table.add(["x\ny\u{9B}31m", "1"])
        let scalars = table.text.unicodeScalars
        #expect(!scalars.contains { ["\u{202E}", "\u{9B}"].contains($0) } && scalars.count { $0 == "\n" } == 3)
        #expect(table.text.contains("x\\ny\\u{009B}31m"))
    }
}
