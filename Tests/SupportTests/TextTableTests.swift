import Support
import Testing

@Suite struct TextTableTests {
  @Test func columnsAreAsWideAsTheirCells() {
    var table = TextTable([.left, .right, .left])
    table.add(["decode", "7", "ms"])
    table.add(["all", "12.5", ""])
    table.add(["none"])
    #expect(
      table.text == """
        decode     7  ms
        all     12.5
        none

        """)
  }

  @Test func aHeadingStandsOverARule() {
    var table = TextTable([.left, .right], heading: ["policy", "rate"])
    table.add(["layered", "1"])
    #expect(
      table.text == """
        policy   rate
        -------  ----
        layered     1

        """)
    #expect(TextTable([.left], heading: ["a"]).text == "a\n-\n")
    #expect(TextTable([.left]).text.isEmpty)
  }

  @Test func widthsMayBeGiven() {
    var table = TextTable([.fixed(.left, 6), .fitted(.right, atLeast: 4)])
    table.gap = 1
    table.indentation = 2
    table.add(["a", "1"])
    table.add(["longer than it", "22222"])
    #expect(table.text == "  a          1\n  longer than it 22222\n")
  }
}
