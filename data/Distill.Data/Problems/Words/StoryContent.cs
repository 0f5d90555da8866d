namespace Distill.Data.Problems.Words;

/// <param name="Events">The first is a start.</param>
/// <param name="Friend">The other person in the events.</param>
/// <param name="Question">Which of the questions.</param>
/// <param name="Distractors">Whole sentences that do not matter, each before the event of that number (or the question).</param>
internal sealed record StoryContent(
    IReadOnlyList<StoryEvent> Events,
    string Hero,
    string Friend,
    string Thing,
    int Question,
    IReadOnlyList<(int Before, string Sentence)> Distractors)
{
    public StorySolution Solve() => new(Events, Hero, Friend);
}
