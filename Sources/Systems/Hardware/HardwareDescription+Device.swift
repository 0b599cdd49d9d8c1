extension HardwareDescription {
  /// Whether a GPU's name here can be that of a device as its driver names it: `h200-sxm` is `NVIDIA H200`, and no
  /// `NVIDIA H100 80GB HBM3`.
  ///
  /// Every word of the name but the form of the board (`sxm`, `nvl`, `pcie`) must be one of the device's.
  public static func isName(_ name: String, ofDevice device: String) -> Bool {
    func words(_ text: String) -> [String] {
      text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }
    let known = Set(words(device))
    let forms: Set = ["sxm", "sxm2", "sxm3", "sxm4", "sxm5", "sxm6", "nvl", "pcie"]
    return words(name).allSatisfy { forms.contains($0) || known.contains($0) }
  }
}
