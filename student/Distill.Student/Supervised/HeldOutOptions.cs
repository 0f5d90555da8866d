namespace Distill.Student.Supervised;

/// <summary>When a supervised training looks at held-out data, and when it gives up.</summary>
/// <param name="Every">Steps between two looks, at least 1; the last step is always looked at.</param>
/// <param name="Patience">Looks in a row without a better value after which the training ends; 0: never.</param>
public sealed record HeldOutOptions(int Every, int Patience = 0);

/// <summary>One look at held-out data.</summary>
/// <param name="Step">Updates made before it.</param>
public sealed record HeldOutLook(int Step, double Value);

/// <summary>How a supervised training ended.</summary>
/// <param name="Steps">Updates made: fewer than planned when patience ended it.</param>
/// <param name="Tokens">Read by all updates, prompts included.</param>
/// <param name="LearnedTokens">Of these, learned.</param>
/// <param name="Best">The look whose weights are the result; null without held-out data.</param>
public sealed record SupervisedResult(int Steps, int PlannedSteps, long Tokens, long LearnedTokens, HeldOutLook? Best);
