namespace Distill.Data.Problems;

/// <summary>Which part of a problem source a problem belongs to. A problem's signature decides, so the parts cannot overlap.</summary>
public enum Split
{
    Train,
    Validation,
    Test,
}
