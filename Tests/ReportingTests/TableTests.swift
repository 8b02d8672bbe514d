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
}
