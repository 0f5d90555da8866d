using System.Text.RegularExpressions;

namespace Distill.Data.Problems.Twins;

/// <summary>
/// Gives the people of a problem other first names that go with the same pronouns, in the text and in the worked solution. Only names
/// that stand alone are people here: one that is part of a longer name, a title or a place, that occurs in the answer, or that something is
/// said of as a word ends the attempt.
/// </summary>
internal static partial class RenamedPeople
{
    private const int MaxPeople = 6;

    public static Twin? Make(Problem problem, RandomSource random)
    {
        var solution = problem.ReferenceSolution ?? "";
        if (Prose.Read(problem.Text) is null || AboutNames().IsMatch(problem.Text))
            return null;
        var all = $"{problem.Text}\n{solution}";
        var names = Word().Matches(problem.Text).Select(match => match.Value).Where(FirstNames.IsName).Distinct().ToList();
        if (names.Count is 0 or > MaxPeople || names.Exists(name => IsRisky(name, problem, all))
            || !PronounsFit(problem.Text, names))
            return null;
        var taken = Word().Matches(all).Select(match => match.Value.ToLowerInvariant()).ToHashSet();
        var renamed = new Dictionary<string, string>();
        foreach (var name in names)
        {
            // An "s" at the end would make the possessive differ; initials may be told apart by the solution's letters.
            var free = FirstNames.Like(name)
                .Where(other => !other.EndsWith('s') && !taken.Contains(other.ToLowerInvariant()) && !renamed.ContainsValue(other)
                    && !renamed.Values.Append(name).Any(used => used[0] == other[0])).ToList();
            if (free.Count == 0)
                return null;
            renamed[name] = random.Pick(free);
        }

        return new Twin(TwinKind.Renamed, problem with
        {
            Id = ProblemId.OfTwin(problem.Id, TwinKind.Renamed),
            Text = Replaced(problem.Text, renamed),
            ReferenceSolution = problem.ReferenceSolution is null ? null : Replaced(solution, renamed),
        });
    }

    private static string Replaced(string text, Dictionary<string, string> renamed) => Possessed().Replace(text, match =>
    {
        var name = match.Groups[1].Value;
        if (!renamed.TryGetValue(name, out var other))
            return match.Value;
        // "James' apples" become "Peter's apples".
        return match.Groups[2].Success ? $"{other}{match.Groups[2].Value}s" : other;
    });

    private static bool IsRisky(string name, Problem problem, string all)
    {
        if (problem.ReferenceAnswer.Contains(name, StringComparison.OrdinalIgnoreCase)
            || problem.Choices.Any(choice => choice.Contains(name, StringComparison.OrdinalIgnoreCase))
            || problem.System?.Contains(name, StringComparison.OrdinalIgnoreCase) == true)
            return true;
        foreach (Match match in Word().Matches(all))
        {
            var word = match.Value;
            // The same name spelled in another way, and a short form beside its long one.
            if (word != name && (word.Equals(name, StringComparison.OrdinalIgnoreCase) || IsShortForm(word, name)))
                return true;
            if (word == name && !StandsAlone(all, match))
                return true;
        }

        return false;
    }

    /// <summary>Tim and Timothy may be one person; Ann and Anna, who both have a part in the text, may not, but who knows.</summary>
    private static bool IsShortForm(string word, string name) => char.IsAsciiLetterUpper(word[0]) && word.Length > 2
        && (word.StartsWith(name, StringComparison.Ordinal) || name.StartsWith(word, StringComparison.Ordinal));

    private static bool StandsAlone(string text, Match name)
    {
        var (before, after) = (text[..name.Index], text[(name.Index + name.Length)..]);
        if (LongerAfter().IsMatch(after))
            return false;
        return !LongerBefore().IsMatch(before) || Opener().IsMatch(before);
    }

    /// <summary>Somebody must be there for every "she" and every "he".</summary>
    private static bool PronounsFit(string text, List<string> names)
    {
        var others = Word().Matches(text).Any(match => match.Index > 0 && char.IsAsciiLetterUpper(match.Value[0])
            && !FirstNames.IsName(match.Value) && !AtStart().IsMatch(text[..match.Index]));
        var (hasShe, hasHe) = (names.Exists(FirstNames.IsShe), names.Exists(name => !FirstNames.IsShe(name)));
        return (hasShe || others || !She().IsMatch(text) || Women().IsMatch(text))
            && (hasHe || others || !He().IsMatch(text) || Men().IsMatch(text));
    }

    [GeneratedRegex("[A-Za-z]+")]
    private static partial Regex Word();

    [GeneratedRegex(@"\b([A-Z][a-z]+)\b(?:(['’])(?![a-z]))?")]
    private static partial Regex Possessed();

    // Names as words, or an order of names.
    [GeneratedRegex(
        @"\b(?:names?|named|nicknam\w*|called|initials?|letters?|alphabet\w*|spell\w*|vowels?|consonants?|sister city|"
        + @"street|avenue|river|lake|mount|county|city of|town of)\b", RegexOptions.IgnoreCase)]
    private static partial Regex AboutNames();

    // A surname, a shop ("Tom's Diner"), a compound.
    [GeneratedRegex(@"^(?:['’]s)?(?: [A-Z][a-z]|-|[0-9_@])")]
    private static partial Regex LongerAfter();

    // A title, a first name, a compound.
    [GeneratedRegex(@"(?:\b[A-Z][A-Za-z]*\.? |[-@_0-9#]|\b(?:Mr|Mrs|Ms|Dr|St)\. )$")]
    private static partial Regex LongerBefore();

    // A word with which a sentence begins and that is no part of a name.
    [GeneratedRegex(
        @"(?:^|[.!?:;,""“(\n]\s*)(?:If|When|While|Since|As|After|Before|Because|Is|Are|Was|Were|Does|Did|Do|Has|Had|"
        + @"Have|Can|Could|Will|Would|How|Today|Yesterday|Tomorrow|Then|So|And|But|Suppose|Given|Once|Although|Though|"
        + @"For|With|To|On|In|At|By|From|Of|Both|Let|That|Together|Later|Now|Next|Finally|Last|Unlike|Like|Every|Each|"
        + @"Altogether|Therefore|Thus|Also|Meanwhile|Between|Until|Assuming|Initially|Originally|First|Currently|"
        + @"Combined) $")]
    private static partial Regex Opener();

    [GeneratedRegex(@"(?:^|[.!?:\n][""”’)]*\s*[""“‘(]?)$")]
    private static partial Regex AtStart();

    [GeneratedRegex(@"\b(?:she|her|hers|herself)\b", RegexOptions.IgnoreCase)]
    private static partial Regex She();

    [GeneratedRegex(@"\b(?:he|him|his|himself)\b", RegexOptions.IgnoreCase)]
    private static partial Regex He();

    [GeneratedRegex(
        @"\b(?:mother|mom|mum|sister|aunt|grandma|grandmother|wife|daughter|girls?|woman|women|lady|niece|queen|"
        + @"girlfriend|teacher|boss|friend|neighbor|cousin)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Women();

    [GeneratedRegex(
        @"\b(?:father|dad|brother|uncle|grandpa|grandfather|husband|son|boys?|man|men|gentleman|nephew|king|boyfriend|"
        + @"teacher|boss|friend|neighbor|cousin)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Men();
}
