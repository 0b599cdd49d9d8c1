/// A step that is planned and has not ended.
///
/// Its arrays are used again.
struct Flight {
  var plan = StepPlan()
  var record = IterationRecord()
  var cost = StepCost()
  /// What it decodes, and its number among the steps that decode.
  var decode = DecodeLoad()
  var decodeStep = 0
  /// Sequences that decode for the first time: the gap before is their own.
  var fresh: [Slot] = []
  /// Prompts that emit a token at its end.
  var finishing: [Slot] = []
  /// Sequences that end with it.
  var leaving: [Slot] = []
  /// Sequences that take part in it, and in no later one for now: preempted, or left out.
  var departing: [Slot] = []
  /// Sequences that step again after it.
  var returning: [Slot] = []
  /// Whether those that end with it have left the sums, and those that decode next have joined them.
  var hasPassed = false
  /// What each sequence does, if that is asked for.
  var rows: [StepRow] = []
  /// What the tiles cover, and attend to, together.
  var prefillArea = 0.0
  var prefillAttended = 0.0
}
