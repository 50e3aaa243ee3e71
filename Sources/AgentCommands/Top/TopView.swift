// Wingmirror · Apache-2.0

/// What whoever looks at `top` has chosen to see; changed by keys, and drawn as lines.
struct TopView: Sendable {
    /// What rows are ordered by.
    enum Order: String, Sendable, CaseIterable {
        case rate
        case errors
        case clientErrors = "4xx"
        case p50
        case p95
        case p99
        case requests
        case name
    }

    /// What a key asks for beyond another view.
    enum Wish: Sendable, Equatable {
        case quit
        /// The past of a route.
        case detail(String)
    }

    /// The size of the terminal.
    var size: TerminalSize
    /// Whether colours may be used.
    var isColoured: Bool
    /// What rows are ordered by.
    var order = Order.rate
    /// Whether the order is turned round.
    var isReversed = false
    /// Only rows with this text in them are shown.
    var filter = ""
    /// Whether keys are added to the filter.
    var isTypingFilter = false
    /// Whether the figures stand still.
    var isPaused = false
    /// The row that is chosen.
    var selected: String?
    /// The route whose past is shown instead of the table.
    var detailed: String?
    /// What is known of that past.
    var detail: TopDetail?
    /// How many rows are above the first that is shown.
    private(set) var scroll = 0

    /// The longest filter that can be typed.
    private static let filterLimit = 100

    /// Makes a view of the whole table.
    init(size: TerminalSize, isColoured: Bool) {
        self.size = size
        self.isColoured = isColoured
    }

    // MARK: - Keys

    /// Does what a key says.
    mutating func keyPressed(_ key: TopKey, showing frame: TopFrame) -> Wish? {
        if isTypingFilter {
            typed(key)
            keepSelection(in: frame)
            return nil
        }
        switch key {
        case .character("q"): return .quit
        case .character("p"), .character(" "): isPaused.toggle()
        case .character("s"), .right: order = order.next
        case .character("S"), .left: order = order.previous
        case .character("r"): isReversed.toggle()
        case .character("/"):
            detailed = nil
            isTypingFilter = true
        case .escape, .backspace, .character("b"):
            if detailed == nil { filter = "" }
            detailed = nil
        case .enter: return enter(frame)
        case .up, .character("k"): move(-1, frame)
        case .down, .character("j"): move(1, frame)
        case .pageUp: move(-tableRows, frame)
        case .pageDown: move(tableRows, frame)
        case .home, .character("g"): move(-frame.rows.count, frame)
        case .end, .character("G"): move(frame.rows.count, frame)
        case .character: break
        }
        keepSelection(in: frame)
        return nil
    }

    private mutating func typed(_ key: TopKey) {
        switch key {
        case .enter: isTypingFilter = false
        case .escape:
            isTypingFilter = false
            filter = ""
        case .backspace: if !filter.isEmpty { filter.removeLast() }
        case .character(let character): if filter.count < Self.filterLimit { filter.append(character) }
        default: break
        }
    }

    private mutating func enter(_ frame: TopFrame) -> Wish? {
        guard detailed == nil else {
            detailed = nil
            return nil
        }
        let rows = rows(of: frame)
        guard let id = selected ?? rows.first?.id, rows.contains(where: { $0.id == id }) else { return nil }
        selected = id
        detailed = id
        if detail?.id != id { detail = nil }
        return .detail(id)
    }

    private mutating func move(_ distance: Int, _ frame: TopFrame) {
        let rows = rows(of: frame)
        guard !rows.isEmpty else { return }
        let present = rows.firstIndex { $0.id == selected }
        let next = present.map { $0 + distance } ?? (distance > 0 ? distance - 1 : 0)
        selected = rows[min(max(next, 0), rows.count - 1)].id
    }

    /// Scrolls so that the chosen row is seen.
    mutating func keepSelection(in frame: TopFrame) {
        let rows = rows(of: frame)
        if let place = rows.firstIndex(where: { $0.id == selected }) {
            scroll = min(max(scroll, place - tableRows + 1), place)
        }
        scroll = min(max(scroll, 0), max(rows.count - tableRows, 0))
    }

    /// How many rows of the table fit: what is left by four lines above, the titles, and one below.
    var tableRows: Int { max(size.rows - 6, 1) }

    // MARK: - Rows

    /// The rows to be shown, in their order.
    func rows(of frame: TopFrame) -> [TopFrame.Row] {
        let wanted = filter.lowercased()
        let rows = wanted.isEmpty ? frame.rows : frame.rows.filter { $0.searchText.contains(wanted) }
        let places = Dictionary(rows.enumerated().map { ($1.id, $0) }) { first, _ in first }
        let sorted = rows.sorted { left, right in
            let (first, second) = (order.value(of: left), order.value(of: right))
            if first != second { return isReversed ? first < second : first > second }
            let isBefore = (places[left.id] ?? 0) < (places[right.id] ?? 0)
            return order == .name && isReversed ? !isBefore && left.id != right.id : isBefore
        }
        return sorted
    }
}

extension TopView.Order {
    /// The order after this one.
    fileprivate var next: Self { neighbour(1) }

    /// The order before this one.
    fileprivate var previous: Self { neighbour(Self.allCases.count - 1) }

    private func neighbour(_ distance: Int) -> Self {
        let all = Self.allCases
        return all[((all.firstIndex(of: self) ?? 0) + distance) % all.count]
    }

    /// What is compared, of which the greater comes first; names are in the order of the table already.
    fileprivate func value(of row: TopFrame.Row) -> Double {
        switch self {
        case .rate: row.requestsPerSecond ?? -1
        case .errors: row.errorShare ?? -1
        case .clientErrors: row.clientErrorShare ?? -1
        case .p50: row.shownLatency.p50 ?? -1
        case .p95: row.shownLatency.p95 ?? -1
        case .p99: row.shownLatency.p99 ?? -1
        case .requests: Double(row.requests)
        case .name: 0
        }
    }
}

extension TopFrame.Row {
    /// What a filter looks into.
    fileprivate var searchText: String {
        [object, route, match, gateway, hosts, target].joined(separator: "\n").lowercased()
    }
}
