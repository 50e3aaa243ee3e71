// Wingmirror · Apache-2.0

import Testing

@testable import TCPReassembly

@Suite struct ConnectionNumberingTests {
    @Test(arguments: [1, 2, 3])
    func `a number says which of the tables has given it, and no two are the same`(count: Int) {
        var numbers: Set<Int> = []
        for table in 0..<count {
            var numbering = ConnectionNumbering(table: table, of: count)
            for _ in 0..<4 {
                let number = numbering.take()
                #expect(ConnectionNumbering.table(of: number, among: count) == table)
                numbers.insert(number)
            }
        }
        #expect(numbers == Set(0..<4 * count))
    }
}
