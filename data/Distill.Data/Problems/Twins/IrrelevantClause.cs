using System.Globalization;
using System.Text.RegularExpressions;

namespace Distill.Data.Problems.Twins;

/// <summary>
/// Puts a sentence that changes nothing before the question: about something far from it, with a number of its own. Sentences whose
/// things, units or numbers occur in the text are not used. Where the question says "it" or "they", the sentence goes to the very beginning
/// instead, so that these words keep what they mean.
/// </summary>
internal static partial class IrrelevantClause
{
    // Sentence with {0} for a number; the range of the number; beginnings of words that must not occur in the text.
    private static readonly (string Text, int Low, int High, string Taboo)[] Bank =
    [
        ("The clock tower downtown is {0} meters tall.", 31, 79,
            "clock tower town meter metre tall height high feet foot long length distance far wide"),
        ("A documentary about volcanoes was on television for {0} minutes that evening.", 41, 79,
            "document volcano tv televis watch show program minute hour time evening night day"),
        ("The museum across the river opened in {0}.", 1931, 1979, "museum river year old age open history date built"),
        ("The nearest lighthouse stands on a cliff {0} feet above the sea.", 111, 189,
            "light cliff sea feet foot inch height high tall ocean water"),
        ("Bus number {0} stopped at the corner in the meantime.", 41, 89,
            "bus corner travel transport trip drive ride passenger route"),
        ("A nearby library keeps a globe that weighs {0} pounds.", 21, 69,
            "librar book globe weigh pound kilo ounce gram heav lb kg"),
        ("The thermometer outside showed {0} degrees.", 51, 79,
            "thermo degree temperat weather hot cold warm cool fahren celsius angle"),
        ("A poster on the wall showed a mountain {0} feet high.", 6100, 9800,
            "poster wall mountain feet foot high height climb hike tall"),
        ("The radio station on channel {0} played an old song.", 81, 107,
            "radio station channel song music play listen concert band"),
        ("A satellite passed overhead at a height of {0} kilometers.", 410, 790,
            "satellite space rocket height high kilomet km mile distance fly flew"),
        ("The old oak in the park is {0} years old.", 131, 289, "oak park year old age tree birth young plant forest garden"),
        ("An article in the newspaper was about a lake {0} feet deep.", 110, 290,
            "article news lake deep depth feet foot paper magazine water read"),
    ];

    public static Twin? Make(Problem problem, RandomSource random)
    {
        if (problem.Choices.Count > 0 || Prose.Read(problem.Text) is not { } prose || prose.Opening.Length == 0)
            return null;
        var words = Prose.Words(problem.Text);
        var fitting = Bank.Where(clause => !clause.Taboo.Split(' ').Any(taboo => words.Any(word => IsForm(word, taboo)))).ToList();
        if (fitting.Count == 0 || Counts().IsMatch(problem.Text))
            return null;
        var clause = random.Pick(fitting);
        var numbers = TextNumber.ReadAll(problem.Text).Select(number => number.Value).ToHashSet();
        var number = random.Between(clause.Low, clause.High);
        // As few as a dozen numbers in the text cannot fill the range.
        while (numbers.Contains(number))
            number = number < clause.High ? number + 1 : clause.Low;
        var sentence = clause.Text.Replace("{0}", number.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        if (Text(prose, sentence) is not { } text)
            return null;
        return new Twin(TwinKind.Irrelevant, problem with { Id = ProblemId.OfTwin(problem.Id, TwinKind.Irrelevant), Text = text });
    }

    private static string? Text(Prose prose, string sentence)
    {
        if (!PointsBack().IsMatch(prose.Question))
            return $"{prose.Opening}{sentence} {prose.Question}";
        return PointsBack().IsMatch(FirstWords().Match(prose.Opening).Value) ? null : $"{sentence} {prose.Opening}{prose.Question}";
    }

    /// <summary>Short words as they are or in the plural, longer ones as beginnings.</summary>
    private static bool IsForm(string word, string taboo) =>
        taboo.Length <= 4 ? word == taboo || word == taboo + "s" : word.StartsWith(taboo, StringComparison.Ordinal);

    [GeneratedRegex(
        @"\b(?:it|its|itself|they|them|their|theirs|this|that|these|those|there|one|ones|which|same|other|another|"
        + @"such|so)\b", RegexOptions.IgnoreCase)]
    private static partial Regex PointsBack();

    [GeneratedRegex(@"^(?:\S+\s+){0,3}\S+")]
    private static partial Regex FirstWords();

    // Questions about the text itself.
    [GeneratedRegex(
        @"\b(?:sentences?|words?|letters?|paragraphs?|numbers? (?:above|mentioned|listed)|following text)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Counts();
}
