namespace Distill.Student.Supervised;

/// <summary>When a supervised training looks at held-out data, and when it gives up.</summary>
/// <param name="Every">Steps between two looks, at least 1; the last step is always looked at.</param>
/// <param name="Patience">Looks in a row without a better value after which the training ends; 0: never.</param>
public sealed record HeldOutOptions(int Every, int Patience = 0);

/// <summary>One look at held-out data.</summary>
/// <param name="Step">Updates made before it.</param>
public sealed record HeldOutLook(int Step, double Value);
