using Distill.Verification.Mathematics.Reading;

namespace Distill.Verification.Mathematics.Judging;

/// <summary>Lists, sets, points, intervals and matrices.</summary>
internal sealed partial class AnswerComparison
{
    private bool? SameGroup(Group gold, Group answer) => (gold.Kind, answer.Kind) switch
    {
        (GroupKind.Bracketed, GroupKind.Bracketed) => SamePoint(gold, answer),
        // Parentheses around a point may be left out, and its coordinates may be named.
        (GroupKind.Bracketed, GroupKind.List) => ByName(answer.Items) is { } items && IsPoint(gold) ? InOrder(gold.Items, items) : false,
        (GroupKind.List, GroupKind.Bracketed) => ByName(gold.Items) is { } items && IsPoint(answer) ? InOrder(items, answer.Items) : false,
        (GroupKind.Bracketed, _) or (_, GroupKind.Bracketed) => false,
        _ => SameList(gold, answer),
    };

    private bool? SameList(Group gold, Group answer)
    {
        bool goldIsNamed = AreNamedApart(gold.Items);
        if (goldIsNamed == AreNamedApart(answer.Items)) return InAnyOrder(gold.Items, answer.Items);
        // x = 1, y = 2 is a point: its order is that of the names.
        if (gold.Kind == GroupKind.Set || answer.Kind == GroupKind.Set) return false;
        return ByName(gold.Items) is { } first && ByName(answer.Items) is { } second ? InOrder(first, second) : false;
    }

    private static bool AreNamedApart(IReadOnlyList<AnswerValue> items) => items.Count > 1 && items.All(item => item is Assignment)
        && items.Cast<Assignment>().Select(item => item.Name).Distinct().Count() == items.Count;

    /// <returns>The values in the order of their names; as they are when none is named; null when some are, or names come twice.</returns>
    private static IReadOnlyList<AnswerValue>? ByName(IReadOnlyList<AnswerValue> items)
    {
        if (!items.Any(item => item is Assignment)) return items;
        return AreNamedApart(items)
            ? [.. items.Cast<Assignment>().OrderBy(item => item.Name, StringComparer.Ordinal).Select(item => item.Value)]
            : null;
    }

    private static bool IsPoint(Group group) => group.Brackets is "()" or "⟨⟩";

    private bool? SamePoint(Group? gold, Group? answer)
    {
        if (gold is null || answer is null) return false;
        bool sameBrackets = gold.Brackets == answer.Brackets || (IsPoint(gold) && IsPoint(answer));
        return sameBrackets ? InOrder(gold.Items, answer.Items) : false;
    }

    private static Group? Vector(Matrix matrix)
    {
        if (matrix.Rows.Count == 1) return new Group(GroupKind.Bracketed, "()", matrix.Rows[0]);
        return matrix.Rows.All(row => row.Count == 1) ? new Group(GroupKind.Bracketed, "()", [.. matrix.Rows.Select(row => row[0])]) : null;
    }

    private bool? SameMatrix(Matrix gold, Matrix answer)
    {
        if (gold.Rows.Count != answer.Rows.Count) return false;
        bool? all = true;
        for (int i = 0; i < gold.Rows.Count && all != false; i++) all = Both(all, InOrder(gold.Rows[i], answer.Rows[i]));
        return all;
    }

    private bool? SameOperation(SetOperation gold, SetOperation answer)
    {
        if (gold.Operator != answer.Operator) return false;
        return gold.Operator == "∖" ? InOrder(gold.Items, answer.Items) : InAnyOrder(gold.Items, answer.Items);
    }

    private bool? InOrder(IReadOnlyList<AnswerValue> gold, IReadOnlyList<AnswerValue> answer)
    {
        if (gold.Count != answer.Count) return false;
        bool? all = true;
        for (int i = 0; i < gold.Count && all != false; i++) all = Both(all, Same(gold[i], answer[i]));
        return all;
    }

    /// <summary>Each has its equal on the other side; how often an element is named does not matter.</summary>
    private bool? InAnyOrder(IReadOnlyList<AnswerValue> gold, IReadOnlyList<AnswerValue> answer)
    {
        bool? all = true;
        for (int i = 0; i < gold.Count && all != false; i++) all = Both(all, IsAmong(answer, other => Same(gold[i], other)));
        for (int i = 0; i < answer.Count && all != false; i++) all = Both(all, IsAmong(gold, other => Same(other, answer[i])));
        return gold.Count == 0 || answer.Count == 0 ? gold.Count == answer.Count : all;
    }

    private static bool? IsAmong(IReadOnlyList<AnswerValue> items, Func<AnswerValue, bool?> isSame)
    {
        bool? found = false;
        foreach (var item in items)
        {
            bool? same = isSame(item);
            if (same == true) return true;
            found = same is null ? null : found;
        }

        return found;
    }

    private static bool? Both(bool? first, bool? second) =>
        first == false || second == false ? false : first is null || second is null ? null : true;
}
