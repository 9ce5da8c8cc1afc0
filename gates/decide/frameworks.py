"""The frameworks whose controls a rule may support, and the controls of each that a gate of releases can bear on.

A rule supports a control: its evidence is of use to a person who judges the control. No rule, and no set of rules, is
compliance. What a control says is put in our own words; the publication counts.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Framework:
    """A publication. controls: what its controls are called there -> what they ask, in our words."""

    name: str
    edition: str
    controls: dict[str, str]


FRAMEWORKS: dict[str, Framework] = {
    "nist-ai-rmf": Framework(
        "NIST AI Risk Management Framework",
        "AI RMF 1.0 (NIST AI 100-1, 2023)",
        {
            "GOVERN 1.4": "the risk process is laid down in open policies and controls",
            "GOVERN 1.6": "there is an inventory of systems",
            "GOVERN 1.7": "systems are taken out of service safely",
            "GOVERN 2.1": "roles and responsibilities are written down and clear",
            "MAP 1.5": "risk tolerances are set and written down",
            "MAP 2.3": "how data are chosen and the system is tested is written down",
            "MEASURE 1.1": "risks are measured, and what cannot be measured is written down",
            "MEASURE 1.2": "metrics and controls are looked at again from time to time",
            "MEASURE 1.3": "people who did not build the system take part in assessing it",
            "MEASURE 2.1": "test sets, metrics and tools are written down",
            "MEASURE 2.3": "performance is measured under conditions like those of use",
            "MEASURE 2.4": "the system is watched in production",
            "MEASURE 2.5": "the system is shown to be valid and reliable, with its limits",
            "MEASURE 2.7": "security and resilience are assessed",
            "MEASURE 2.10": "risks to privacy are examined",
            "MEASURE 2.11": "fairness and bias are assessed",
            "MEASURE 2.13": "how well the testing itself works is assessed",
            "MANAGE 1.1": "it is decided whether deployment should go on",
            "MANAGE 1.4": "risks that remain are written down",
            "MANAGE 2.4": "a system can be superseded, disengaged or switched off",
            "MANAGE 4.1": "monitoring after deployment is planned and done",
            "MANAGE 4.3": "incidents and errors are told, tracked and answered",
        },
    ),
    "eu-ai-act": Framework(
        "EU AI Act",
        "Regulation (EU) 2024/1689, consolidated on 27 July 2026; these articles are about high-risk systems",
        {
            "Article 9(5)": "the risk that remains is judged acceptable",
            "Article 9(8)": "tests before use, against metrics and probabilistic thresholds set beforehand",
            "Article 10(2)(c)": "how data are prepared is governed",
            "Article 10(3)": "data are relevant, representative, and as free of errors and complete as possible",
            "Article 11(1)": "technical documentation before use, kept up to date",
            "Article 12(1)": "events are recorded by the system over its life",
            "Article 15(1)": "accuracy and robustness are fitting, and stay so",
            "Article 15(5)": "attempts to alter use, outputs or performance are resisted",
            "Article 17(1)(m)": "who answers for what is laid down",
            "Article 20(1)": "what does not conform is corrected, withdrawn or disabled",
        },
    ),
    "sr-11-7": Framework(
        "SR 11-7, Supervisory Guidance on Model Risk Management",
        "2011, by its sections; superseded on 17 April 2026 by SR 26-2, which numbers and words them otherwise",
        {
            "IV Model Development, Implementation, and Use": "models are built, tested and put to use with care",
            "V Model Validation": "models are validated by people who did not build them",
            "V.2 Ongoing Monitoring": "models work as meant, and are compared with alternatives",
            "V.3 Outcomes Analysis": "outputs are compared with what came true",
            "VI Governance, Policies, and Controls": "the framework is governed",
            "VI Policies and Procedures": "policies say what is done, and who may make exceptions",
            "VI Roles and Responsibilities": "owners, controllers and reviewers are told apart",
            "VI Model Inventory": "there is an inventory of models in use, being built and retired",
            "VI Documentation": "enough is written down that others understand",
        },
    ),
    "iso-42001": Framework(
        "ISO/IEC 42001",
        "2023, Annex A",
        {
            "A.3.2": "roles and responsibilities are defined",
            "A.4.5": "system and computing resources are written down",
            "A.5.4": "effects on individuals and groups are assessed",
            "A.6.2.2": "requirements of the system are specified",
            "A.6.2.3": "design and development are documented",
            "A.6.2.4": "the system is verified and validated",
            "A.6.2.5": "deployment is planned, and what it needs is met before",
            "A.6.2.6": "operation is monitored",
            "A.6.2.8": "events are logged",
            "A.7.2": "data for development are managed",
            "A.7.4": "the quality of data is defined and met",
            "A.7.5": "where data come from is recorded",
            "A.7.6": "how data are prepared is defined",
        },
    ),
}
